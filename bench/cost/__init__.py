"""What a month costs: docs/cost.md, from measured units, list prices and a stated usage."""
