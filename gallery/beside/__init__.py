"""The feed for "somebody drew beside you", for those who switch it on."""
