#!/bin/sh
# Stands in for gcloud, bq and npm: notes what it is asked in $STATE/log, and remembers what was
# made. As with the real ones, making what is there is an error, and so is removing what is not.
# A command that contains $FAILS does nothing and ends with $CODE.
case " $* " in
  *" --help "* | " help "*) cat "$HELP"; exit 0 ;;
esac
printf '%s' "${0##*/}" >> "$STATE/log"
for word; do printf '\t%s' "$word" >> "$STATE/log"; done
printf '\n' >> "$STATE/log"
case "$*" in
  *"$FAILS"*) echo 'permission denied' >&2; exit "$CODE" ;;
esac

# What a command is about: "pubsub topics create x --flags" → "pubsub.topics.x".
about() {
  printf '%s' "$STATE/"
  printf '%s' "${*%% --*}" |
    sed -E 's/ (create|update|describe|delete|deploy)( http)? / /; s/@.*//; s/ /./g'
}
# The right that a command gives or takes: what it is on, whose and which.
right() {
  printf '%s' "$STATE/"
  printf '%s' "$*" | tr -d '`"' | tr ' /' '..' | sed -nE '
    s/.*-iam-policy-binding\.([^.]*).*--member=([^=]*)\.--role=([a-z.A-Z]*).*/right-\1-\2-\3/p
    s/.*(GRANT|REVOKE)\.([a-zA-Z.]*)\.ON\.(.*)\.(TO|FROM)\.(.*)/right-\3-\5-\2/p'
}
case " $* " in
  *' add-iam-policy-binding '* | *' GRANT '*) : > "$(right "$@")" ;;
  *' remove-iam-policy-binding '* | *' REVOKE '*) rm "$(right "$@")" ;;
  ' projects describe '*) echo 123456789012 ;;
  ' functions describe '*' --v2 '*)
    made=$(about "$@")
    [ ! -e "$made" ] || echo "https://${made##*.}.example" ;;
  *' describe '*) [ -e "$(about "$@")" ] ;;
  *' create '*) made=$(about "$@"); [ ! -e "$made" ] && : > "$made" ;;
  *' deploy '*) : > "$(about "$@")" ;;
  *' delete '*) rm "$(about "$@")" ;;
esac
