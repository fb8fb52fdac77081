# Is the cluster's folder of the format that we write? Sets why where it is not. Argument: the folder.
our_format() {
	format=1
	{ read -r format <"$1/format"; } 2>/dev/null
	[ "${format:-1}" = 1 ] && return
	why="$1 has the format $format of a newer clusterctl: this one can read it, but does not write it"
	return 1
}
