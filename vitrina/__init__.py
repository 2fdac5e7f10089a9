"""Vitrina's domain: events, channels, connections, products, accounts."""
