#include "report/markdown.h"

#include <string.h>

/* Escapes what Markdown or the HTML in it would take for markup. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_{}[]<>#|~", *text)) {
			fputc('\\', out);
		}
		fputc(*text, out);
	}
}

void sm_markdown_put(FILE *out, const char *before, const char *text, const char *after)
{
	fputs(before, out);
	put_text(out, text);
	fputs(after, out);
}
