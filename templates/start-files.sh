# Prints how the nodes of a release are started. Arguments: the cluster's folder, the release.
for file in "$1/releases/$2"/start/*; do
	[ -f "$file" ] || continue
	say file "${file##*/}"
	dump line "$file"
done
say all
