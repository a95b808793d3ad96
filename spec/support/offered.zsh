# What zsh offers for a line: a zsh on a terminal of its own types it and a tab, and says what would be shown.
#   zsh -f offered.zsh SCRIPT 'scope3 sync --mo'
zmodload zsh/zpty || exit 2
zpty inner zsh -f -i
zpty -w inner "PROMPT= RPROMPT= PS2=; stty -echo; unsetopt zle_bracketed_paste 2>/dev/null
autoload -Uz compinit; compinit -u; source ${(q)1}
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd \"\$@\"; return; fi
  local -a hits
  builtin compadd -A hits \"\$@\"
  local hit; for hit in \$hits; do print -r -- \"<offer>\$hit</offer>\"; done
  builtin compadd \"\$@\"
}
told() { print '<told/>'; exit }
comppostfuncs=(told)
bindkey '^I' complete-word
print '<ready'/'>'"
zpty -r inner seen '*<ready/>*' || exit 3
zpty -w -n inner "$2"$'\t'
zpty -r inner seen '*<told/>*' || exit 4
print -r -- "$seen" | sed -n 's|.*<offer>\(.*\)</offer>.*|\1|p' | sort -u
zpty -d inner
