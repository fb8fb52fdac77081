# Functions for the queue of rotated logs; lib.sh stands before it. $home and $spool are the cluster's folders.
# Sets the settings of a release's logs from its file.
# shellcheck disable=SC2034
log_settings() {
	archive='' archiver='' compress='' expire='' min_free=0 ready=120 several='' textfile=''
	while read -r key value; do
		case $key in
		archive) archive=$value ;;
		archiver) archiver=$value ;;
		compress) compress=$value ;;
		expire) expire=$value ;;
		min_free) min_free=$value ;;
		ready) ready=$value ;;
		several) several=$value ;;
		textfile) textfile=$value ;;
		esac
	done <"$1"
}
# Sets queued to the number of logs in the queue. Other names are not zeek-archiver's, which passes over them.
# shellcheck disable=SC2034
count_queue() {
	set -- "$spool"/log-queue/*__[0-9][0-9][0-9][0-9]-*__[0-9][0-9][0-9][0-9]-*__*
	queued=$#
	[ -e "$1" ] || queued=0
}
# Sets day, from, to and more from a name of the queue as zeek-archiver reads it: NAME__OPEN__CLOSE__[KEY=VALUE,...__].log
take_name() {
	log=${1%%__[0-9][0-9][0-9][0-9]-*}
	more=${1#"$log"__}
	from=${more%%__*}
	more=${more#*__}
	to=${more%%__*}
	more=${more#*__}
	day=${from%-*-*-*}
	from=${from#"$day"-}
	to=${to#????-??-??-}
}
# Whether the archive has a log of that name already: zeek-archiver would write over it (it happens when clocks go back).
archived() {
	take_name "$1"
	suffix=''
	case $more in
	*log_suffix=*)
		suffix=${more#*log_suffix=}
		suffix=${suffix%%__*}
		suffix=-${suffix%%,*}
		;;
	esac
	h=${from%%-*} t=${to%%-*}
	m=${from#*-} u=${to#*-}
	set -- "$archive/$day/$log.$h:${m%-*}:${m#*-}-$t:${u%-*}:${u#*-}$suffix.log"*
	[ -e "$1" ]
}
# Gives logs of the queue that would replace others in the archive names of their own.
keep_apart() {
	[ -d "$archive" ] || return 0
	for file in "$spool"/log-queue/*__[0-9][0-9][0-9][0-9]-*__[0-9][0-9][0-9][0-9]-*__*; do
		name=${file##*/}
		if [ ! -f "$file" ] || ! archived "$name"; then
			continue
		fi
		again=2
		while :; do
			case $more in
			*log_suffix=*) other=${name%%log_suffix=*}log_suffix=again-$again-${name#*log_suffix=} ;;
			.*) other=${name%%__.*}__log_suffix=again-${again}__$more ;;
			*) other=${name%%"$more"}log_suffix=again-$again,$more ;;
			esac
			[ ! -e "$spool/log-queue/$other" ] && ! archived "$other" && break
			take_name "$name"
			again=$((again + 1))
			[ "$again" -gt 1000 ] && return 1
		done
		mv "$file" "$spool/log-queue/$other"
	done
}
# A time as Zeek writes it into names, in $zone; the machine's own where that is empty, whatever the session has.
stamp() {
	if [ -n "$zone" ]; then
		TZ=$zone date -d "@$1" +__%Y-%m-%d-%H-%M-%S
	else
		env -u TZ date -d "@$1" +__%Y-%m-%d-%H-%M-%S
	fi
}
# Sets zone, ext and rotates from what starts a node: its time zone, the extension of its logs, and whether Zeek rotates
# itself what a process left that was killed.
log_names() {
	zone='' ext=.log rotates=''
	while IFS= read -r line; do
		case $line in
		"env TZ="*) zone=${line#env TZ=} zone=${zone:-UTC0} ;;
		"env ZEEK_LOG_SUFFIX="*[!A-Za-z0-9]*) ;;
		"env ZEEK_LOG_SUFFIX="?*) ext=.${line#env ZEEK_LOG_SUFFIX=} ;;
		"rotates yes") rotates=1 ;;
		esac
	done <"$1"
} 2>/dev/null
# Moves $file of $dir, with the extension $1 and opened at $open, to the queue, under the name that Zeek's own rotation
# gives it; closed when it was last written. It has that name in its folder first: what a full or missing queue keeps
# there is opened by no Zeek, and is taken along the next time.
put_by() {
	close=''
	{ close=$(stat -c %Y "$file"); } 2>/dev/null
	[ -n "$close" ] || return 1
	# What no process wrote since is as old as it is.
	[ "$close" -ge "${open:-$close}" ] && [ -n "$open" ] || open=$close
	name=${file##*/}
	name=${name%"$1"}
	from=$(stamp "$open")
	while :; do
		to=$name$from$(stamp "$close")__$suffix$1
		[ ! -e "$spool/log-queue/$to" ] && [ ! -e "$dir/$to" ] && break
		close=$((close + 1))
	done
	mv "$file" "$dir/$to"
}
# Moves what the last process of a node left of its logs to the queue. $1 is the node's folder, $2 what starts it; moved
# counts. What is there when the next process begins it would truncate, but for logs with a shadow file, which it
# rotates itself if it has that from us: with $3, those are left to it. Never for a node that may be starting.
leftovers() {
	dir=$1
	log_names "$2"
	# In one archive with others' logs of that name.
	suffix=''
	[ -n "$rotates" ] && [ -z "$several" ] || suffix=log_suffix=${dir##*/}__
	mkdir -p "$spool/log-queue" 2>/dev/null
	for shadow in "$dir"/.shadow.*; do
		[ -z "${3:-}" ] || [ -z "$rotates" ] || break
		if [ ! -f "$shadow" ] || [ -L "$shadow" ]; then
			continue
		fi
		file=$dir/${shadow##*/.shadow.}
		if [ ! -f "$file" ] || [ -L "$file" ]; then
			rm -f "$shadow"
			continue
		fi
		of=''
		{ read -r of <"$shadow"; } 2>/dev/null
		case $of in
		.*[!A-Za-z0-9.]* | '') of=$ext ;;
		esac
		open=''
		{ open=$(stat -c %Z "$shadow"); } 2>/dev/null
		put_by "$of" && rm -f "$shadow"
	done
	# Zeek keeps no shadow file where logs do not rotate.
	begun=''
	{ begun=$(stat -c %Y "$dir/run"); } 2>/dev/null
	for of in "$ext" "$ext.gz"; do
		for file in "$dir"/*"$of"; do
			if [ ! -f "$file" ] || [ -L "$file" ] || [ -e "$dir/.shadow.${file##*/}" ]; then
				continue
			fi
			case $file in
			*__[0-9][0-9][0-9][0-9]-*__[0-9][0-9][0-9][0-9]-*__*) continue ;;
			esac
			open=$begun
			put_by "$of"
		done
	done
	for file in "$dir"/*__[0-9][0-9][0-9][0-9]-*__[0-9][0-9][0-9][0-9]-*__*; do
		if [ -f "$file" ] && [ ! -L "$file" ] && [ ! -e "$spool/log-queue/${file##*/}" ]; then
			mv "$file" "$spool/log-queue/" && moved=$((moved + 1))
		fi
	done 2>/dev/null
}
# Waits until no log of the queue was opened in the second of now. Zeek names logs by whole seconds, and renames over what
# has that name: so would a process that begins now, if it ended in this second as well. leftovers has set dir and zone.
new_second() {
	second=$(date +%s)
	of=$(stamp "$second")
	for file in "$spool"/log-queue/*"$of"__[0-9][0-9][0-9][0-9]-* "$dir"/*"$of"__[0-9][0-9][0-9][0-9]-*; do
		[ -e "$file" ] || continue
		while [ "$(date +%s)" = "$second" ]; do
			nap
		done
		return
	done
}
