# Makes a release the current one. Arguments: the cluster's folder, the release, the release that is current now or
# `-`. Input, each part ended by an empty line: lines about the release for `releases/ID.info`, none where it comes back
# as it was; what is still to be done elsewhere, for `pending`; releases to delete.
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
		say fail "can't switch to the release $id"
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
while IFS= read -r old && [ -n "$old" ]; do
	ours || exit 1
	case $old in
	*/* | .*) continue ;;
	esac
	[ "$old" = "$id" ] || rm -rf "releases/$old" "releases/$old.info" "releases/$old.was.info"
done
# Secrets that no release needs any more. All names are ours: no blanks in them.
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
say activated "$id"
