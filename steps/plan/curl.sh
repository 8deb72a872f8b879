umask 077
for tool in curl jq; do
	if ! command -v "$tool" >/dev/null; then
		echo "this script needs $tool, which is not installed: install it, then run the script again" >&2
		exit 64
	fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT HUP TERM
mkdir "$work/none"
status=000 found=no otherwise='' unconfirmed=no
hidden=()

say() { printf '%s\n' "$1" >&2; }
tell() { printf '%s\n' "$@" >&2; }

# stop SENTENCE: ends the script. What was done stands; the script may be run again, since it looks before it makes anything.
stop() {
	say "stopped: $1"
	exit 1
}

# Words of jq. plain takes out of a text what could steer a terminal; at follows a JSON pointer of plain names and indexes to a
# text; fits says whether a row is the one that is looked for: letters' case aside, and never by a part of a name.
words='
def plain: [explode[] | if . < 32 or (. >= 127 and . < 160) or . == 173 or (. >= 1536 and . <= 1541) or . == 1564 or . == 1757 or . == 1807
  or . == 2192 or . == 2193 or . == 2274 or . == 6158 or (. >= 8203 and . <= 8207) or (. >= 8232 and . <= 8238) or (. >= 8288 and . <= 8303)
  or . == 65279 or (. >= 65529 and . <= 65531) or . == 69821 or . == 69837 or (. >= 78896 and . <= 78911) or (. >= 113824 and . <= 113827)
  or (. >= 119155 and . <= 119162) or (. >= 917504 and . <= 917631) then 32 else . end] | implode;
def at($pointer): reduce ($pointer | ltrimstr("/") | split("/")[]) as $part (.;
  if type == "array" then .[$part | tonumber] elif type == "object" then .[$part] else null end)
  | if type == "string" then . else "" end;
def like($match): (if type == "string" then . else "" end) as $have
  | if $match.pattern then ($have | test($match.pattern)) else ($have | ascii_downcase) == ($match.value | ascii_downcase) end;
def fits($matches; $deleted): type == "object" and ($deleted or .isDeleted != true)
  and (. as $row | all($matches[]; . as $match | $row[$match.member] | like($match)));
def shows($sign): (.[$sign.member] | if . == null then "" else tostring end | ascii_downcase) as $have
  | any($sign.values[]; ascii_downcase == $have) != ($sign.not // false);
def small: with_entries(.key |= ascii_downcase);
def done: if type == "number" then . < 400 elif type == "string" then
  (if test("^-?[0-9]+$") then tonumber < 400 else ascii_downcase as $s | any("ok", "created", "accepted", "nocontent"; . == $s) end) else . == null end;
'

# hide VALUE: it is masked in what is told of answers, also as JSON writes it and as it looks when it is harmless.
hide() {
	local form
	for form in "$1" "$(printf '%s' "$1" | jq -Rrs '@json | .[1:-1]')" "$(printf '%s' "$1" | jq -aRs . | sed 's/^"//; s/"$//')" "$(printf '%s' "$1" | jq -Rrs "$words"' plain')"; do
		[ -z "$form" ] || hidden+=("$form")
	done
}

# said FILE: a text of the server, or of curl, as one harmless line.
said() {
	local text value
	text=$(jq -Rrs "$words"' rtrimstr("\n") | plain' "$1")
	for value in "${hidden[@]}"; do
		text=${text//"$value"/(secret)}
	done
	printf '%s' "${text:0:600}"
}

# json VALUE, uri VALUE: a value as a JSON string, and as a part of an address. It goes through a pipe, and into no argument list.
json() { printf '%s' "$1" | jq -Rs .; }
uri() { printf '%s' "$1" | jq -Rrs @uri; }

body() { printf '%s\n' "$1" >"$work/body"; }

# request METHOD PATH [FILE]: one request, with FILE as its body. Then status is the HTTP status, or 000 when no answer came, and
# the answer is in $work/answer. The token goes to curl by its standard input. A .curlrc, proxies and redirects are not followed.
request() {
	local failed=0
	case $2 in
	*//* | */\?* | */ | */./* | */../* | */. | */.. | */.\?* | */..\?*) stop "a value in $2 is missing or leads to another place: it was not sent" ;;
	esac
	: >"$work/answer"
	status=$(
		{
			printf 'header = "Authorization: Bearer %s"\n' "$token"
			printf 'header = "Accept: application/json"\n'
			printf 'header = "Expect:"\n'
			if [ $# -gt 2 ]; then
				printf 'header = "Content-Type: application/json"\n'
			elif [ "$1" != GET ]; then
				printf 'header = "Content-Type:"\ndata = ""\n'
			fi
		} | curl --disable --config - --silent --show-error --noproxy '*' --proto '=https' --tlsv1.2 --http1.1 --globoff --path-as-is \
			--connect-timeout 15 --max-time 60 "${trust[@]}" --request "$1" ${3+--data-binary "@$3"} \
			--output "$work/answer" --write-out '%{http_code}' --url "$server$2" 2>"$work/curl"
	) || failed=$?
	case $failed in
	0) ;;
	35 | 51 | 53 | 58 | 59 | 60 | 77 | 80 | 83 | 90 | 91) stop "the server is not the trusted one, nothing was sent: $(said "$work/curl")" ;;
	*) status=000 ;;
	esac
}

# refused METHOD PATH: ends with what the server said.
refused() {
	case $status in
	000) stop "no answer to $1 $2: $(said "$work/curl")" ;;
	401) stop "$1 $2: 401: the token is not taken, or no longer: a token lives some minutes. Get a new one and run the script again: $(said "$work/answer")" ;;
	*) stop "$1 $2: $status: $(said "$work/answer")" ;;
	esac
}

# get PATH: a read. It is repeated after what passes by itself.
get() {
	local pause
	for pause in 1 2 0; do
		request GET "$1"
		case $status in
		000 | 500 | 502 | 503 | 504) [ "$pause" = 0 ] || sleep "$pause" ;;
		*) return 0 ;;
		esac
	done
}

good() {
	case $status in
	2??) ;;
	*) refused "$1" "$2" ;;
	esac
}

# reads PATH: a read whose answer is used.
reads() {
	get "$1"
	good GET "$1"
	cp "$work/answer" "$work/result"
}

# send METHOD PATH [FILE]: a change. It is sent once, whatever comes.
send() {
	if [ $# -gt 2 ] && ! jq empty "$3" >/dev/null 2>&1; then
		stop "the body of $1 $2 is not whole: it was not sent"
	fi
	request "$@"
	case $status in
	2??) say "  $1 $2: $status" ;;
	000) stop "no answer to $1 $2: it may or may not have been carried out ($(said "$work/curl")). Run the script again: it looks first" ;;
	404 | 405)
		if [ -n "$otherwise" ]; then
			say "  $1 $2: $status: this server does not offer the call: $(said "$work/answer")"
			"$otherwise"
			stop 'do this by hand, then write the script anew with npsetup plan -f FILE --output curl: it takes over what is there'
		fi
		refused "$1" "$2"
		;;
	*) refused "$1" "$2" ;;
	esac
	cp "$work/answer" "$work/result"
}

# each_done METHOD PATH: NPS answers 200 to some calls although it refused rows of them; each row has a status of its own.
each_done() {
	local failed
	[ -s "$work/result" ] || return 0
	failed=$(jq -r "$words"' [.[] | small | select(.status | done | not) | "\(.id) (\(.status)): \(.message)"] | join("; ")' "$work/result" 2>/dev/null) ||
		stop "the answer to $1 $2 cannot be read: $(said "$work/result")"
	if [ -n "$failed" ]; then
		printf '%s' "$failed" >"$work/failed"
		stop "$1 $2 was refused for $(said "$work/failed")"
	fi
}

# rows paged|whole PATH: a list of either shape, an array or {data, recordsTotal}, into $work/rows, one row a line.
rows() {
	local path=$2 mark='?' skip=0 count total first before=''
	case $2 in *\?*) mark='&' ;; esac
	: >"$work/rows"
	while :; do
		if [ "$1" = paged ]; then path="$2${mark}skip=$skip&take=500"; fi
		get "$path"
		good GET "$path"
		if [ "$status" = 204 ]; then printf 'null' >"$work/answer"; fi
		jq -c "$words"' if type == "array" then {rows: ., total: -1} elif . == null then {rows: [], total: -1} else
			small | if has("data") then {rows: (.data // []), total: (.recordstotal // -1)} else error("no list") end end
			| if (.rows | type) == "array" then . else error("no list") end' "$work/answer" >"$work/page" 2>/dev/null || stop "the answer to GET $path is no list"
		[ -s "$work/page" ] || stop "the answer to GET $path is empty"
		count=$(jq '.rows | length' "$work/page")
		total=$(jq .total "$work/page")
		first=$(jq -c '.rows[0]' "$work/page")
		skip=$((skip + count))
		if [ -n "$before" ] && [ "$first" = "$before" ]; then
			[ "$total" -lt 0 ] || stop "GET $path gives the same page again and again"
			return 0 # an array that knows no paging is whole after its first page
		fi
		jq -c '.rows[]' "$work/page" >>"$work/rows"
		if [ "$1" = whole ] || [ "$count" -eq 0 ]; then return 0; fi
		if [ "$total" -ge 0 ] && [ "$skip" -ge "$total" ]; then return 0; fi
		if [ "$total" -lt 0 ] && [ "$count" -ne 500 ]; then return 0; fi
		before=$first
	done
}

# find_row paged|whole PATH MATCHES DELETED: the one row of a list that fits, into $work/row; found says whether it is there.
find_row() {
	rows "$1" "$2"
	jq -c --argjson matches "$3" --argjson deleted "$4" "$words"' select(fits($matches; $deleted))' "$work/rows" >"$work/row"
	case $(wc -l <"$work/row" | tr -d ' ') in
	0) found=no ;;
	1) found=yes ;;
	*) stop "GET $2 lists more than one of that name: rename or delete the ones that are not meant" ;;
	esac
}

# find_one PATH: an object by its address.
find_one() {
	get "$1"
	found=no
	if [ "$status" = 404 ]; then return 0; fi
	good GET "$1"
	if [ -s "$work/answer" ]; then
		cp "$work/answer" "$work/row"
		found=yes
	fi
}

# unchanged WANT VOLATILE: the row that was just read must still be what the plan saw, the members in VOLATILE aside.
unchanged() {
	[ "$found" = yes ] || stop 'the object that would be changed is no longer there: make the plan again'
	printf '%s' "$1" >"$work/want"
	jq -r --slurpfile want "$work/want" --argjson volatile "$2" \
		'. as $have | $want[0] as $want | [$want | keys[] | select(. as $k | ($volatile | index($k) | not) and $want[$k] != $have[$k])] | join(", ")' "$work/row" >"$work/changed"
	[ "$(jq -Rrs 'rtrimstr("\n") | length' "$work/changed")" = 0 ] || stop "the object changed since the plan was made ($(said "$work/changed")): make the plan again"
}

# tells POINTER…: whether the result holds what later calls need.
tells() {
	local pointer
	for pointer in "$@"; do
		[ -n "$(jq -r --arg pointer "$pointer" "$words"' at($pointer)' "$work/result" 2>/dev/null)" ] || return 1
	done
}

# make once|patient METHOD PATH POINTER…: looks first, by the function look, and takes what is there. Else it sends $work/body, and
# looks again when the answer lacks what later calls need: NPS may be at work on it behind its answer.
make() {
	local patience=$1 method=$2 path=$3 pause
	shift 3
	look
	if [ "$found" = yes ]; then
		say '  is there already, and is taken as it is'
		cp "$work/row" "$work/result"
		return 0
	fi
	send "$method" "$path" "$work/body"
	if tells "$@"; then return 0; fi
	for pause in 0 1 2 4; do
		sleep "$pause"
		look
		if [ "$found" = yes ]; then
			cp "$work/row" "$work/result"
			return 0
		fi
		[ "$patience" = patient ] || break
	done
	stop "what $method $path made cannot be found: the server answered well, and lists nothing by that name"
}

# shown all|any SIGNS: looks, by the function look, and says whether the row shows the signs.
shown() {
	look
	[ "$found" = yes ] || return 1
	[ "$(jq --argjson signs "$2" "$words"' . as $row | [$signs[] | . as $sign | $row | shows($sign)] | '"$1" "$work/row")" = true ]
}

# await SECONDS SIGNS WHAT: looks again until the row shows all signs. It is the result then.
await() {
	local left=$1 pause=1
	say "  waiting: $3"
	until shown all "$2"; do
		[ "$left" -gt 0 ] || stop "it has not come to this: $3. Run the script again: it looks first"
		sleep "$pause"
		left=$((left - pause))
		[ "$pause" -ge 10 ] || pause=$((pause * 2))
	done
	cp "$work/row" "$work/result"
}

# take VARIABLE POINTER: a value of the result, for later calls.
take() {
	local value
	value=$(jq -r --arg pointer "$2" "$words"' at($pointer)' "$work/result" 2>/dev/null) || value=''
	[ -n "$value" ] || stop "the answer lacks $2, which later calls need: $(said "$work/result")"
	printf -v "$1" '%s' "$value"
}

# file PATH MODE CONTENT: a new file. Another one that is there is left as it is.
file() {
	printf '%s' "$3" >"$work/file"
	if [ -e "$1" ] || [ -L "$1" ]; then
		cmp -s "$work/file" "$1" || stop 'the file exists already, holds something else and is left as it is: move it away'
		return 0
	fi
	(
		set -o noclobber
		cat "$work/file" >"$1"
	)
	chmod -- "$2" "$1"
}

# pause waits for a person, when one is there. The script itself may come from standard input.
pause() {
	if [ -t 2 ] && { : </dev/tty; } 2>/dev/null; then
		printf 'Enter when it is done: ' >&2
		read -r _ </dev/tty
	else
		unconfirmed=yes
	fi
}

# needed NAME WHAT: a secret has to be in the environment.
needed() {
	if [ -z "${!1:-}" ]; then
		say "the environment variable $1 is not set: $2"
		missing=yes
	fi
}
