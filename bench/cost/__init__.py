"""The monthly cost: the tables of docs/cost.md, from measured units, list prices and usage."""
