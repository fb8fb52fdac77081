# Deletes old releases, and secrets that no release needs any more. Argument: the cluster's folder. Input: the releases.
home=$1
cd "$home" || {
	say fail "can't enter $home"
	exit 1
}
current=''
if cd -P current 2>/dev/null; then
	current=${PWD##*/}
fi
cd "$home" || exit 1
all=''
while IFS= read -r old && [ -n "$old" ]; do
	all="$all $old"
done
ours || exit 1
# Out of the way at once, whatever time it takes to delete them.
for old in $all; do
	case $old in
	*/* | .*) continue ;;
	esac
	if [ "$old" != "$current" ] && [ -d "releases/$old" ] && mv "releases/$old" "releases/.gone-$old-$$"; then
		rm -f "releases/$old.info" "releases/$old.was.info" "releases/.seen-$old"
	fi
done
for file in releases/.seen-*; do
	[ -d "releases/${file#releases/.seen-}" ] || rm -f "$file"
done
# All names are ours: no blanks in them.
if [ -d secrets ]; then
	needed=" $(cat releases/*/clusterctl/secrets 2>/dev/null | tr '\n' ' ')"
	for file in secrets/*; do
		[ -f "$file" ] || continue
		case $needed in
		*" ${file#secrets/} "*) ;;
		*) rm -f "$file" ;;
		esac
	done
fi
for old in releases/.gone-*; do
	[ ! -e "$old" ] || rm -rf "$old" || {
		say fail "can't delete $home/$old"
		exit 1
	}
done
say pruned
