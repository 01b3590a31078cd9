// Before anything is shown: the page is one that steps, so that its steps do not flash by one below the other.
"use strict";

if ("DecompressionStream" in window) document.documentElement.classList.add("stepping");
