"""Who somebody is and what they may do. The only room that imports `jwt`."""
