# Keeps secrets on a host, beside those that are there. Argument: the cluster's folder. Input: a gzipped tar of them.
home=$1
dir=$home/secrets
new=$dir/.new
umask 077
fail() {
	say fail "$*"
	rm -rf "$new"
	exit 1
}
{ mkdir -p "$dir" && chmod 700 "$dir"; } 2>/dev/null || fail "can't make the folder $dir"
rm -rf "$new"
mkdir "$new" || fail "can't write in $dir (is the disk full?)"
tar -C "$new" -xzof - || fail "can't unpack (is the disk full?)"
for file in "$new"/*; do
	[ -f "$file" ] || continue
	# Named only when it is whole.
	{ chmod 600 "$file" && mv -f "$file" "$dir/"; } || fail "can't write in $dir"
done
rm -rf "$new"
say kept
