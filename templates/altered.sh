# What somebody did to the files of the current release, which nothing of ours ever changes; run in its folder. Says lines
# of the manifest as they would be `now`, those that `was` and is no more, what is `known` of these, and when the files
# were last `touched`.
# A look costs one find: what was not touched since the release was named is what it was. Only what was touched is read.
# Its clock is the host's: a deploy reads all (altered-all.sh).
altered() {
	seen=../.seen-${PWD##*/}
	set -- .
	# A release of an older clusterctl has none, and its own folder was touched last when the manifest came into it.
	[ -f "$seen" ] || {
		seen=manifest
		set -- . ! -path .
	}
	touched=$(find "$@" ! -path ./manifest \( -type d -newer "$seen" -o ! -type d -cnewer "$seen" \) 2>/dev/null)
	[ -n "$touched" ] || return 0
	if bulky .; then
		say bulky
		return
	fi
	newline='
'
	set -f
	IFS=$newline
	# shellcheck disable=SC2086
	set -- $touched
	unset IFS
	set +f
	looked=0
	for file in "$@"; do
		shift
		looked=$((looked + 1))
		[ "$looked" -le 200 ] || continue
		if [ -L "$file" ] || { [ -e "$file" ] && [ ! -f "$file" ] && [ ! -d "$file" ]; }; then
			say now "$file"
		elif [ -f "$file" ]; then
			set -- "$@" "$file"
		fi
	done
	[ "$#" = 0 ] || {
		sha256sum -- "$@"
		stat -c '%a %n' -- "$@"
	} 2>/dev/null | grep -vxFf manifest | while IFS= read -r line; do
		say now "$line"
	done
	touched=$newline$touched$newline
	while IFS= read -r line; do
		case $line in
		*"  ./"*) file=./${line#*  ./} ;;
		*) continue ;;
		esac
		if [ ! -e "$file" ]; then
			say was "$line"
		else
			case $touched in
			*"$newline$file$newline"*) say known "$file" ;;
			esac
		fi
	done <manifest
}
