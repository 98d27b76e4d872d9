"""Files that are whole or not there: writing, downloading, unpacking."""
