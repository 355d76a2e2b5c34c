"""Music made from patterns: eight genres, their artists, and how a track of theirs sounds."""
