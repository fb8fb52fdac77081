# Unpacks a release beside the others and verifies it; settle.sh names it. So it may take as long as it goes on: nothing
# that somebody else could have done meanwhile is lost. Arguments: the cluster's folder, the release, the digest of its
# manifest, the release to begin with, `-` for none, or `fresh` for none and whatever lies there; the spool folder.
# Input: paths to remove, one a line, an empty line, and a gzipped tar of the files that are
# new or changed.
home=$1 id=$2 digest=$3 base=$4 spool=$5
fail() {
	say fail "$*"
	rm -rf "$home/releases/.stage-$id" "$home/releases/.manifest-$id"
	exit 1
}
for dir in "$home" "$spool"; do
	if ! mkdir -p "$dir" 2>/dev/null; then
		say fail "can't make the folder $dir (as $(id -un 2>/dev/null)); run as root: install -d -o $(id -un 2>/dev/null) ${dir%/*}"
		exit 1
	fi
done
mkdir -p "$home/releases" "$spool/nodes" "$spool/crash" "$spool/log-queue" || fail "can't make folders in $home"
[ -f "$home/format" ] || echo 1 >"$home/format" || fail "can't write in $home"
new=$home/releases/.stage-$id
sweep_all "$home" "$spool"
rm -rf "$home"/releases/.stage-* "$home"/releases/.gone-*
if [ -d "$home/releases/$id" ] && [ "$base" != fresh ]; then
	cat >/dev/null
	new=$home/releases/$id
	found=$(manifest "$new" | sha256sum)
	if [ "${found%% *}" = "$digest" ]; then
		say staged "$id"
		exit 0
	fi
	say differs "the files of the release $id on this host have been changed"
	exit 1
fi
mkdir "$new" || fail "can't make $new"
if [ "$base" != - ] && [ "$base" != fresh ]; then
	cp -Rp "$home/releases/$base/." "$new/" || fail "can't copy the release $base"
	rm -f "$new/manifest"
fi
while IFS= read -r path && [ -n "$path" ]; do
	rm -f "$new/$path"
done
find "$new" -depth -type d -exec rmdir {} + 2>/dev/null
mkdir -p "$new"
tar -C "$new" -xzpof - || fail "can't unpack (is the disk full?)"
find "$new" -depth -type d -exec rmdir {} + 2>/dev/null
manifest "$new" >"$home/releases/.manifest-$id" || fail "can't write the manifest (is the disk full?)"
found=$(sha256sum <"$home/releases/.manifest-$id")
if [ "${found%% *}" != "$digest" ]; then
	rm -rf "$new" "$home/releases/.manifest-$id"
	say differs "the files of the release $base on this host have been changed"
	exit 1
fi
chmod 600 "$home/releases/.manifest-$id"
mv "$home/releases/.manifest-$id" "$new/manifest" || fail "can't write the manifest"
say unpacked "$id"
