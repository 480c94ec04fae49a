"""Jobs that end in files (dreamsite.core.tasks.jobs): remade, deleted, and their files in and out of the storage."""
