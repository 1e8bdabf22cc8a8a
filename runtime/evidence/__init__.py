"""The files of evidence: where they are kept, who scans them, and how they are looked at."""
