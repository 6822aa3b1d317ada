"""What a user installs, in an environment that knows nothing of this checkout."""
