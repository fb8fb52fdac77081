# Is the manifest of the release in the folder $1 larger than that of any release of ours (24 MiB; a site has 50,000 files at most)?
# Such a one is neither compared nor sent.
bulky() {
	[ -n "$(find "$1/manifest" -size +49152 2>/dev/null)" ]
}
# Says the lines of a manifest. A shell would read it byte by byte.
listed() {
	sed "s/^/$T manifest /" "$1/manifest" && echo
}
