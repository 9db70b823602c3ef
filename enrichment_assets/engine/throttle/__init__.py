"""What stands between a call and the wire: rates, breakers, calls of the day, pauses."""
