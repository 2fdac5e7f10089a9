"""Phones with an app on a stack of their own in the local cloud, and the faults they meet."""
