"""Stand-ins for the two services outside Kawal, as real HTTP servers over loopback with invented people."""
