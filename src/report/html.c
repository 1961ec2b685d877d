#include "report/html.h"

#include <assert.h>
#include <stdarg.h>

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

void sm_html_put(FILE *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	for (const char *at = format; *at; at++) {
		if (*at != '%') {
			fputc(*at, out);
			continue;
		}
		at++;
		assert(*at == 's' || *at == 'd' || *at == 'f' || *at == '%');
		if (*at == 's') {
			put_text(out, va_arg(args, const char *));
		} else if (*at == 'd') {
			fprintf(out, "%d", va_arg(args, int));
		} else if (*at == 'f') {
			fprintf(out, "%.4f", va_arg(args, double));
		} else {
			fputc('%', out);
		}
	}
	va_end(args);
}
