"""What Vitrina knows: events, channels, connections, products, accounts and how they meet."""
