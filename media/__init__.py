"""Media: what images and video show, measured and reported with numbers. Never decides on an activation."""
