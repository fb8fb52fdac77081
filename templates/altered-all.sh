# What altered.sh says, of all files: each is read, whatever the clock says of it; and the manifest itself. manifest.sh and
# bulk.sh stand before it.
altered() {
	if bulky .; then
		say bulky
		return
	fi
	now=$(manifest .)
	printf '%s\n' "$now" | grep -vxFf manifest | head -n 2000 | while IFS= read -r line; do
		say now "$line"
		case $line in
		*" ./"*) file=./${line#* ./} ;;
		*) file=$line ;;
		esac
		say touched "$(stat -c %Z -- "$file" 2>/dev/null) $file"
	done
	printf '%s\n' "$now" | grep -vxFf - manifest | head -n 2000 | while IFS= read -r line; do
		say was "$line"
	done
	listed .
}
