"""Phones with an app on a stack of their own in the local cloud, and what befalls them."""
