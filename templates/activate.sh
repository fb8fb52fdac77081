# Makes a release the current one. Arguments: the cluster's folder, the release, the release that is current now or
# `-`, a line about who and when. Input: releases to delete, one a line.
home=$1 id=$2 expected=$3
current=-
if cd -P "$home/current" 2>/dev/null; then
	current=${PWD##*/}
fi
cd "$home" || {
	say fail "can't enter $home"
	exit 1
}
if [ "$current" != "$expected" ] && [ "$current" != "$id" ]; then
	say fail "the current release is $current, not $expected: somebody else has deployed"
	exit 1
fi
if [ "$id" != - ]; then
	[ -d "releases/$id" ] || {
		say fail "the release $id is not there"
		exit 1
	}
	rm -f current.new data.new
	if ! { ln -s "releases/$id" current.new && mv -T current.new current; }; then
		say fail "can't switch to the release $id"
		exit 1
	fi
	if [ ! -L data ]; then
		ln -s current/data data.new && mv -T data.new data
	fi
	printf '%s\n' "$4" >"releases/$id.info"
else
	rm -f current
fi
while IFS= read -r old && [ -n "$old" ]; do
	case $old in
	*/* | .*) continue ;;
	esac
	[ "$old" = "$id" ] || rm -rf "releases/$old" "releases/$old.info"
done
say activated "$id"
