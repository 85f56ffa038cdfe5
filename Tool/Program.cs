using System.CommandLine;

var root = new RootCommand("FlashGen: attention kernels specialised at compile time.");
return root.Parse(args).Invoke();
