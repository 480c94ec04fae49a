"""What all apps use: the user model, errors, storage, background tasks. It imports none of them."""
