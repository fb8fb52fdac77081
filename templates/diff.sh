# Old content of files, to compare it with the new. Arguments: the folder of releases, the most bytes of all together.
# Input: for each file two lines: its release and the most bytes of it, and its path.
left=$2
while read -r release most && IFS= read -r path; do
	file=$1/$release/$path
	if ! size=$(stat -L -c %s "$file" 2>/dev/null); then
		say missing
		continue
	fi
	say size "$size"
	if [ "$size" -gt "$most" ] || [ "$size" -gt "$left" ]; then
		continue
	fi
	left=$((left - size))
	# The newline more tells a last line with one from a last line without.
	{
		cat "$file"
		echo
	} | sed "s/^/$T = /"
done
exit 0
