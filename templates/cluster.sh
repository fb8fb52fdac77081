# Prints the resolved cluster of the current release. Argument: the cluster's folder.
[ -f "$1/current/cluster.json" ] && sed "s/^/$T /" "$1/current/cluster.json"
exit 0
