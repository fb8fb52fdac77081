# Makes a release the current one. Arguments: the cluster's folder, the release, the release that is current now or
# `-`. Input, each part ended by an empty line: lines about the release for `releases/ID.info`, none where it comes back
# as it was; what is still to be done elsewhere, for `pending`.
home=$1 id=$2 expected=$3
current=-
if cd -P "$home/current" 2>/dev/null; then
	current=${PWD##*/}
	# What is no release is none that anything could be expected of.
	case $current in
	'' | *[!0-9a-z]*) current=- ;;
	esac
fi
cd "$home" || {
	say fail "can't enter $home"
	exit 1
}
if [ "$current" != "$expected" ] && [ "$current" != "$id" ]; then
	say fail "the current release is $current, not $expected: another operation has run"
	exit 1
fi
# Copies lines of the input up to an empty one.
part() {
	while IFS= read -r line && [ -n "$line" ]; do
		printf '%s\n' "$line"
	done
}
if ! { part >info.new && part >pending.new; }; then
	rm -f info.new pending.new
	say fail "can't write in $home (is the disk full?)"
	exit 1
fi
ours || {
	rm -f info.new pending.new
	exit 1
}
# What is left again was no success, unless it had been one before.
unsay() {
	rm -f "releases/$1.info"
	[ ! -f "releases/$1.was.info" ] || mv "releases/$1.was.info" "releases/$1.info"
}
if [ "$id" != - ]; then
	[ -d "releases/$id" ] || {
		rm -f info.new pending.new
		say fail "the release $id is not there"
		exit 1
	}
	rm -f current.new data.new
	if ! { ln -s "releases/$id" current.new && mv -T current.new current; }; then
		rm -f info.new pending.new
		say fail "can't activate the release $id"
		exit 1
	fi
	if [ ! -L data ]; then
		ln -s current/data data.new && mv -T data.new data
	fi
	if [ -s info.new ]; then
		# What was said of it before is said again if this does not come to its end.
		if [ "$current" != "$id" ]; then
			rm -f "releases/$id.was.info"
			[ ! -f "releases/$id.info" ] || mv "releases/$id.info" "releases/$id.was.info"
		fi
		mv info.new "releases/$id.info"
	else
		rm -f info.new
		[ "$current" = "$id" ] || unsay "$current"
	fi
	if [ -s pending.new ]; then
		mv pending.new pending
	else
		rm -f pending.new pending
	fi
else
	rm -f current info.new pending.new
	unsay "$current"
fi
say activated "$id"
