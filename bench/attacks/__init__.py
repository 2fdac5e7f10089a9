"""Hostile clients of the stack in the local cloud, over real HTTP and sockets."""
