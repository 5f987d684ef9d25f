"""The endpoints, one module each kind. They know HTTP and nothing of gates."""
