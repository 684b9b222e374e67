"""What can be seen to be wrong with a page without a person: text that is cut, overlaps, wraps or is not translated,
a page that scrolls sideways or jumps while it loads, and what axe-core finds.

- ``page.js``: the looks at text and geometry, in the page.
- ``inspect``: runs them, and axe, and the count of layout shifts.
"""
