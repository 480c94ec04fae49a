"""What moderators do, and what the site does for them: rules, acts, cases, and the log of all of it."""
