"""Room on the disk: which old pictures are given up, and how much the site will need."""
