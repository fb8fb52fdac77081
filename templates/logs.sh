# Functions for the queue of rotated logs; lib.sh stands before it. $home and $spool are the cluster's folders.
# Sets the settings of a release's logs from its file.
# shellcheck disable=SC2034
log_settings() {
	archive='' archiver='' compress='' expire='' min_free=0 ready=120 several='' runner=''
	while read -r key value; do
		case $key in
		archive) archive=$value ;;
		archiver) archiver=$value ;;
		compress) compress=$value ;;
		expire) expire=$value ;;
		min_free) min_free=$value ;;
		ready) ready=$value ;;
		runner) runner=$value ;;
		several) several=$value ;;
		esac
	done <"$1"
}
# Sets queued to the number of logs in the queue. Other names are not zeek-archiver's, which passes over them.
# shellcheck disable=SC2034,SC2154
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
# shellcheck disable=SC2154
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
# A time as Zeek writes it into names, in $zone; the machine's own where that is empty, which TZ='' would not be.
stamp() {
	if [ -n "$zone" ]; then
		TZ=$zone date -d "@$1" +__%Y-%m-%d-%H-%M-%S
	else
		date -d "@$1" +__%Y-%m-%d-%H-%M-%S
	fi
}
# Moves what a node that is not running left of its logs to the queue, under the names that Zeek's own rotation of
# leftovers gives them: opened when the shadow file was made, closed when the log was last written. $1 is the node;
# moved counts. Never for a node that may be starting: it does the same itself.
# shellcheck disable=SC2154
leftovers() {
	dir=$spool/nodes/$1
	# In the node's own time, as it writes them itself.
	zone=${TZ-}
	if [ -f "$home/current/start/$1" ]; then
		while IFS= read -r line; do
			case $line in
			"env TZ="*) zone=${line#env TZ=} zone=${zone:-UTC0} ;;
			esac
		done <"$home/current/start/$1"
	fi
	for shadow in "$dir"/.shadow.*; do
		if [ ! -f "$shadow" ] || [ -L "$shadow" ]; then
			continue
		fi
		file=$dir/${shadow##*/.shadow.}
		if [ ! -f "$file" ] || [ -L "$file" ]; then
			rm -f "$shadow"
			continue
		fi
		ext=''
		{ read -r ext <"$shadow"; } 2>/dev/null
		case $ext in
		.*[!A-Za-z0-9.]* | '') ext=.log ;;
		esac
		name=${file##*/}
		name=${name%"$ext"}
		open='' close=''
		{ open=$(stat -c %Z "$shadow") && close=$(stat -c %Y "$file"); } 2>/dev/null
		[ -n "$close" ] || continue
		[ "$close" -ge "$open" ] || close=$open
		while :; do
			to=$name$(stamp "$open")$(stamp "$close")__
			to=$spool/log-queue/$to${several:+log_suffix=${1}__}$ext
			[ ! -e "$to" ] && break
			close=$((close + 1))
		done
		mv "$file" "$to" && rm -f "$shadow" && moved=$((moved + 1))
	done
}
