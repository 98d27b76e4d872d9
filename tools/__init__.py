"""What authors run to make what ships: rendered pictures, recorded results, built notebooks."""
