# Prints the resolved cluster of a release. Arguments: the cluster's folder, the release, or `current`.
if [ "$2" = current ]; then
	file=$1/current/cluster.json
else
	file=$1/releases/$2/cluster.json
fi
[ -f "$file" ] && sed "s/^/$T /" "$file"
exit 0
