/* A page as it grows: each block is put into words when it is added, so that a form cannot fail for want of them. */
#include "study/page_blocks.h"

#include "base/mem.h"

#include <errno.h>

void *sm_page_alloc(struct sm_page *page, size_t count, size_t bytes)
{
	void *memory =
		count > SIZE_MAX / 2 / bytes ? NULL : sm_arena_alloc(&page->arena, count * bytes);
	page->words.failed |= !memory;
	return memory;
}

static struct sm_page_block *begin(struct sm_page *page, enum sm_page_block_kind kind)
{
	struct sm_page_block *block = sm_page_alloc(page, 1, sizeof(*block));
	if (block) {
		block->kind = kind;
	}
	return block;
}

/* What could not be put into words whole is not added. */
static int add(struct sm_page *page, struct sm_page_block *block, int rc)
{
	rc = page->words.failed ? -ENOMEM : rc;
	page->words.failed = false;
	if (rc) {
		return rc;
	}
	if (page->last) {
		page->last->next = block;
	} else {
		page->first = block;
	}
	page->last = block;
	return 0;
}

int sm_page_create(struct sm_page **ret_page, const char *title, const char *kind)
{
	struct sm_page *page = sm_mem_calloc(1, sizeof(*page));
	if (!page) {
		return -ENOMEM;
	}
	page->words = (struct sm_phrases){.arena = &page->arena, .unicode = true};
	page->title = sm_phrases_clean(&page->words, title);
	page->kind = sm_phrases_clean(&page->words, kind);
	if (page->words.failed) {
		sm_page_destroy(page);
		return -ENOMEM;
	}
	*ret_page = page;
	return 0;
}

void sm_page_destroy(struct sm_page *page)
{
	if (page) {
		sm_arena_finish(&page->arena);
		sm_mem_free(page);
	}
}

int sm_page_verdict(
	struct sm_page *page, const char *word, const char *sentence, enum sm_page_tone tone)
{
	struct sm_page_block *block = begin(page, SM_PAGE_BLOCK_VERDICT);
	if (block) {
		block->text = sm_phrases_clean(&page->words, word);
		block->sentence = sm_phrases_clean(&page->words, sentence);
		block->tone = tone;
	}
	return add(page, block, 0);
}

int sm_page_facts(struct sm_page *page, const struct sm_page_pair *pairs, size_t count)
{
	struct sm_page_block *block = begin(page, SM_PAGE_BLOCK_FACTS);
	if (block) {
		block->facts = sm_page_alloc(page, count, sizeof(*block->facts));
	}
	for (size_t i = 0; block && block->facts && i < count; i++) {
		block->facts[i] =
			(struct sm_outline_pair){sm_phrases_clean(&page->words, pairs[i].label),
				sm_phrases_clean(&page->words, pairs[i].value)};
		block->fact_count = i + 1;
	}
	return add(page, block, 0);
}

static int add_words(struct sm_page *page, enum sm_page_block_kind kind, const char *text)
{
	struct sm_page_block *block = begin(page, kind);
	if (block) {
		block->text = sm_phrases_clean(&page->words, text);
	}
	return add(page, block, 0);
}

int sm_page_heading(struct sm_page *page, const char *text)
{
	return add_words(page, SM_PAGE_BLOCK_HEADING, text);
}

int sm_page_text(struct sm_page *page, const char *text)
{
	return add_words(page, SM_PAGE_BLOCK_TEXT, text);
}

int sm_page_table(struct sm_page *page, const struct sm_page_table *table)
{
	struct sm_page_block *block = begin(page, SM_PAGE_BLOCK_TABLE);
	return add(page, block, block ? sm_page_grid_build(page, table, &block->grid) : 0);
}

int sm_page_chart(struct sm_page *page, const struct sm_page_chart *chart)
{
	struct sm_page_block *block = begin(page, SM_PAGE_BLOCK_CHART);
	return add(page, block, block ? sm_page_plot_build(page, chart, &block->plot) : 0);
}

int sm_page_finding(struct sm_page *page, const struct sm_page_finding *finding)
{
	struct sm_page_block *block = begin(page, SM_PAGE_BLOCK_FINDING);
	int rc = add(page, block, block ? sm_page_card_build(page, finding, &block->card) : 0);
	if (!rc) {
		block->card.number = ++page->finding_count;
	}
	return rc;
}

int sm_page_write(const struct sm_page *page, enum sm_page_form form, FILE *out)
{
	int rc = form == SM_PAGE_HTML	    ? sm_page_html_write(page, out)
		 : form == SM_PAGE_MARKDOWN ? sm_page_markdown_write(page, out)
		 : form == SM_PAGE_TEXT	    ? sm_page_plain_write(page, out)
					    : -EINVAL;
	return rc ? rc : fflush(out) || ferror(out) ? -EIO : 0;
}
