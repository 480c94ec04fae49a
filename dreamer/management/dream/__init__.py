"""What `manage.py dream` is made of: its options, the recipe they make, sheets of dreams, journeys."""
