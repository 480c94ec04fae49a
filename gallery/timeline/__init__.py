"""The history as a timeline: how much happened when, by day and by month."""
