{#- Made by `python -m enrichment_assets.warehouse.date_files` from `domain/date_words.py`: do not edit. -#}

{#- Small letters without accents, time and separators. -#}
{% macro plain_date_text(text) -%}
regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(strip_accents(lower({{ text }})),
    '[\s\x{a0}\x{1680}\x{2000}-\x{200d}\x{2028}\x{2029}\x{202f}\x{205f}\x{2060}\x{3000}\x{feff}]+', ' ', 'g'),
    'ı', 'i', 'g'),
    'ς', 'σ', 'g'),
    '[’‘ʼ`´]', '''', 'g'),
    '^[ ("“„«\[]+|[ )"”»\]]+$', '', 'g'),
    '(.) *[·•([|].*$', '\1', 'g'),
    '([0-9])(?:t|,? (?:at |um )?)(?:[01]?[0-9]|2[0-4]):[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?(?: ?[ap][.]?m[.]?)?(?: ?(?:z|utc|gmt|est|edt|cst|cdt|mst|mdt|pst|pdt|cet|cest|bst|ist))?(?: ?[+-][0-9]{2}(?::?[0-9]{2})?)?( |$)', '\1 \2', 'g'),
    '^((?:1[5-9]|20)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])(?:t?[0-9]{6}z?|t[0-9]{4}z?)?$', '\1 \2 \3', 'g'),
    '^((?:1[89]|20)[0-9]{2})(0[1-9]|1[0-2])$', '\1 \2', 'g'),
    '[年月日년월일]', ' ', 'g'),
    '([0-9])[.]?(?:st|nd|rd|th|er|ere|re|eme|ste|de|e|o|a|º|ª|°)([ .,]|$)', '\1\2', 'g'),
    '([0-9])[.] ?([^0-9 .])', '\1 \2', 'g'),
    '([^0-9 .])[.]', '\1 ', 'g'),
    '[.] +', '.', 'g'),
    '[-‐‑‒–—−/_,;]', ' ', 'g'),
    ' +', ' ', 'g'),
    '^[ .]+|[ .]+$', '', 'g')
{%- endmacro %}

{#- The same without words that only join parts. -#}
{% macro bare_date_text(plain) -%}
regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace({{ plain }},
    '(?:(?:^| )(?:de|del|do|of|the|der|den|des|le|la|el|im|in|en|em|am|on|au|since|seit|depuis|desde|from|ab|vom|dal|since|until|till|bis))+ ', ' ', 'g'),
    '(^| )d''', '\1', 'g'),
    '(^| )''([0-6][0-9])$', '\1 20\2', 'g'),
    '(^| )''([7-9][0-9])$', '\1 19\2', 'g'),
    '( [0-9]{4}) ?(?:r|g|г|р|ad|ce)$', '\1', 'g'),
    ' +', ' ', 'g'),
    '^ +| +$', '', 'g')
{%- endmacro %}

{#- Y, N and W for the parts of a date. -#}
{% macro date_shape(bare) -%}
regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace({{ bare }},
    '[^0-9 .]+', 'W', 'g'),
    '[0-9]{5,}', 'L', 'g'),
    '[0-9]{4}', 'Y', 'g'),
    '[0-9]{3}', 'L', 'g'),
    '[0-9]{1,2}', 'N', 'g')
{%- endmacro %}

{#- The parts themselves. -#}
{% macro date_parts(bare) -%}
regexp_extract_all({{ bare }}, '[0-9]+|[^0-9 .]+')
{%- endmacro %}

{#- The first year that counts. -#}
{% macro first_date_year() -%}
1000
{%- endmacro %}

{#- From this year on an end is none. -#}
{% macro open_date_year() -%}
2070
{%- endmacro %}

{#- Letters that a date has at most. -#}
{% macro longest_date() -%}
100
{%- endmacro %}
