# Prints the resolved cluster of a release. Arguments: the cluster's folder, the release, or `current`.
if [ "$2" = current ]; then
	file=$1/current/cluster.json
else
	file=$1/releases/$2/cluster.json
fi
# What follows begins a line of its own, whatever the file ends with.
[ -f "$file" ] && sed "s/^/$T /" "$file" && echo
exit 0
