# Completes the words of `incident` in bash: asks the program itself what could come next.
_incident() {
    local IFS=$' \t\n' rest=${COMP_LINE:0:COMP_POINT} words=() word blank head last reply i
    # Bash breaks words at colons and equals signs too, which every URL has. A word is what is between blanks.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        word=${COMP_WORDS[i]}
        # Of the word at the cursor, only what is before it.
        [[ $rest == "$word"* ]] || word=$rest
        rest=${rest#"$word"}
        if ((i == 0)) || [[ -n $blank ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
    done
    # Bash replaces only what is behind the last break, without a quote that is open.
    last=$((${#words[@]} - 1))
    head=${words[last]%"$2"}
    head=${head#[\"\']}
    words[last]=$head${2//\\/}

    COMPREPLY=()
    while IFS= read -r -d $'\v' reply; do
        [[ -z $reply ]] || COMPREPLY+=("${reply#"$head"}")
    done < <(
        _CLAP_IFS=$'\v' _CLAP_COMPLETE_INDEX=$last INCIDENT_COMPLETE=bash \
            incident -- "${words[@]}" 2>/dev/null
        printf '\v'
    )
    for i in "${!COMPREPLY[@]}"; do
        reply=${COMPREPLY[i]}
        # A value follows, or what is in the folder.
        if [[ $reply == *[=/:] ]] && type compopt &>/dev/null; then
            compopt -o nospace
        fi
        # A name that bash would read in another way is quoted, as bash quotes names of files.
        if [[ $reply == *[!a-zA-Z0-9_./:=,@%+-]* ]]; then
            if type compopt &>/dev/null; then
                compopt -o filenames
            else
                printf -v "COMPREPLY[i]" %q "$reply"
            fi
        fi
    done
}

if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
    complete -o bashdefault -o nosort -F _incident incident
else
    complete -o bashdefault -F _incident incident
fi
