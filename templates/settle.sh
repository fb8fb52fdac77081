# Names a release that stage.sh has unpacked. Arguments: the cluster's folder, the release, the digest of its manifest.
home=$1 id=$2 digest=$3
fail() {
	say fail "$*"
	exit 1
}
new=$home/releases/.stage-$id
found=''
{ found=$(sha256sum <"$new/manifest"); } 2>/dev/null
[ "${found%% *}" = "$digest" ] || fail "the unpacked files of release $id are gone or changed"
if [ -d "$home/releases/$id" ]; then
	# Its files were changed on this host; a supervisor that runs from it has its script open.
	mv "$home/releases/$id" "$home/releases/.gone-$id-$$" || fail "can't move the changed release $id away"
fi
mv "$new" "$home/releases/$id" || fail "can't move release $id into place"
# What is touched after this is not as it was put there: altered.sh.
: >"$home/releases/.seen-$id"
say staged "$id"
