"""System checks: an unsafe deployment says so before it serves anybody."""
