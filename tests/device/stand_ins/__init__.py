"""Real parts in place of devices: Debian's adbd and dropbear in an AArch64 root of their own."""
